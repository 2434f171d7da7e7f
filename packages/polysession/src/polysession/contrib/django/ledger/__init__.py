"""The ledger in Django's database: add ``polysession.contrib.django.ledger`` to ``INSTALLED_APPS``, migrate, and give the
manager a ``DjangoLedger`` (``polysession.contrib.django.ledger.ledger``) as ``ledger``.
"""
